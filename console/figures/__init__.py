"""Reports: figures in words, plots and tables, made once and shown on a page, in a sheet, and on paper."""
