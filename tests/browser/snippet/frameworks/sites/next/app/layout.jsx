// The root layout has the tag: what it adds to <html>, React need not know.
export default function Layout({ children }) {
  return (
    <html lang="en" suppressHydrationWarning>
      <head>
        <title>Next</title>
        <script src="/ab.js" />
        <link rel="stylesheet" href="/variants.css" />
      </head>
      <body>{children}</body>
    </html>
  );
}
