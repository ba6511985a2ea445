"""What runs were worth, for readers: tables, plots and one page that is read offline."""
