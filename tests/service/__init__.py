"""What every service does alike."""
