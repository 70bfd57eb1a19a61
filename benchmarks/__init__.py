"""The same work on upswarm's server, its peers and the machine's own limit, side by side."""
