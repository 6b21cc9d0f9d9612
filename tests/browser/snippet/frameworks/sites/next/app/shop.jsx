"use client";
import Link from "next/link";
import { useEffect } from "react";

export function Shop() {
  useEffect(() => {
    document.hydrated = true;
  }, []);
  return (
    <>
      <section data-ab="hero">
        <h1>
          <span className="plain">Tea</span>
          <span className="bold">Tea, tomorrow</span>
        </h1>
        <button type="button">Buy</button>
      </section>
      <Link href="/two">Next</Link>
    </>
  );
}
