"""Reports in a notice's own form: what plugins render with, and the jobs that run them."""
