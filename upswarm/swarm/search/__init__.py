"""The highest load that holds: runs as steps of a search."""
