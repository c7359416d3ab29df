"""The pricing, against values from paper."""
