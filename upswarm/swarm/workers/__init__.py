"""Master and workers: who may take part, who has which part of a run, and what they tell each other."""
