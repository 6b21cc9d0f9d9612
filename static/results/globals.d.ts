/** The address of the chart script, put in by abacus/site/build.py. */
declare const CHARTS: string;
