"""Is every file that was promised really there? What clients were told is compared with what the server has."""
