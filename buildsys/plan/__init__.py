"""The plan: what each asset needs, and why. Pure: values in, values out."""
