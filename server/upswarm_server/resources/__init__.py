"""One file per family of URLs: headers and JSON in, plain values to the service, JSON and headers out."""
