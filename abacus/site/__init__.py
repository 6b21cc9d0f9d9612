"""The files that the CDN serves: ab.js with the experiments in it, the results page, the docs."""
