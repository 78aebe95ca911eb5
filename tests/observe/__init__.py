"""What watches over the system: rules, alerts, runbooks."""
