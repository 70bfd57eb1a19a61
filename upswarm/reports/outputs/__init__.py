"""What a run leaves beside its report, for machines and for people in a hurry."""
