"""The dialects, one file each. A scenario's `protocol:` names one of them."""
