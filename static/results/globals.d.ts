/** The address of the chart script, put in by abacus/site/build.py. */
declare const CHARTS: string;

/** The address of the script of the form for a new experiment. */
declare const FORM: string;
