"""What Locust's web UI shows and takes of uploads: the form, the tabs, and a live page of ours."""
