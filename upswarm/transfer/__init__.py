"""How ONE file travels: plan, dialect, exchange with retries, resume; no word of Locust, and no protocol by name."""
