"""Fine-tuning data: read, checked, freed of copies, and divided. Knows neither the platform nor Kubernetes."""
