// The form of a dialog is sent by a script from the moment it is shown. The library would take it over 20 ms later; who
// pressed Enter before that, as on a busy machine, sent it to the page behind the dialog, which refuses it.
htmx.config.defaultSettleDelay = 0;
