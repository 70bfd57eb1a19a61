"""What an interruption costs on a target: real uploads that are cut on purpose, and what became of them."""
