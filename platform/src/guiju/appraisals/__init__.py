"""What people decided: grades, judgements, rectification, handling of cases."""
