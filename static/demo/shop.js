// The shop's own script. It works without ABacus; what it asks of it is in the last part.
const count = document.querySelector("#count");
for (const button of document.querySelectorAll("#cta, [data-add]"))
  button.addEventListener("click", () => (count.textContent = Number(count.textContent) + 1));

document.querySelector("#signup").addEventListener("submit", (event) => {
  event.preventDefault();
  event.target.reset();
  window.abacus?.goal("signup"); // the browser submits nothing here, so the form says it itself
  document.querySelector("#thanks").textContent = "Thank you. The next letter is yours.";
});

// What this visitor sees, from the attributes on <html>: reading them is no exposure.
for (const shown of document.querySelectorAll("[data-variant]"))
  shown.textContent = document.documentElement.getAttribute("data-ab-" + shown.dataset.variant) ?? "not loaded";

// Forgets who this is. On leaving, because the snippet writes down its visitor then.
document.querySelector("#fresh").addEventListener("click", () => {
  window.addEventListener("pagehide", () => {
    document.cookie = "abacus=;path=/;max-age=0;secure";
    localStorage.removeItem("abacus");
  });
  location.reload();
});
