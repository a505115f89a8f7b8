"""What a workbook means: plain values in, plain values out; no driver, broker, clock or file."""
