"""What scripts/bench runs beside the benchmark programs: peers on one wire, tables, reports."""
