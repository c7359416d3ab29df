"""The room of the statistics, on a real recorder."""
