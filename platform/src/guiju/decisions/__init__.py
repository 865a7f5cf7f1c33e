"""What people decide about findings: decisions, reasons, appeals, and what is asked of a unit."""
