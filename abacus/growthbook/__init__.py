"""What GrowthBook's SDKs need: experiments in their format, and how they evaluate them."""
