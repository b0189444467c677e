"""What Prometheus and Grafana are given: rules, alerts and dashboards, made from here. Imports nothing of ours."""
