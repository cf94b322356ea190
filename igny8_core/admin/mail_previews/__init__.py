"""E-mail previews of the console: the page, and the sample data that the mails are drawn with."""
