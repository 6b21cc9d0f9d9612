// The shop's own script. It works without ABacus; it tells it of purchases and of the letter.
const variants = document.documentElement; // its attributes say what this visitor sees: reading them is no exposure
const basket = []; // prices in cents
const checkout = document.querySelector("#buy");

const sum = (cents) => cents.reduce((total, price) => total + price, 0);
const euros = (cents) => `€${(cents / 100).toFixed(2)}`;

function show() {
  document.querySelector("#count").textContent = basket.length;
  document.querySelector("#total").textContent = basket.length ? euros(sum(basket)) : "";
  checkout.hidden = !basket.length;
}

function pay(cents) {
  document.querySelector("#bought").textContent = `Thank you. You paid ${euros(cents)}, and nothing: this is a demo.`;
  window.abacus?.goal("purchase", cents / 100); // in euros, as the manifest says
}

for (const button of document.querySelectorAll("[data-price]"))
  button.addEventListener("click", () => {
    const cents = Math.round(button.dataset.price * 100);
    const atOnce = button.id !== "cta" && variants.getAttribute("data-ab-buy-button") === "buy-now";
    if (atOnce) return pay(cents);
    basket.push(cents);
    show();
  });

checkout.addEventListener("click", () => {
  pay(sum(basket.splice(0)));
  show();
});

document.querySelector("#signup").addEventListener("submit", (event) => {
  event.preventDefault();
  event.target.reset();
  window.abacus?.goal("signup"); // the browser submits nothing here, so the form says it itself
  document.querySelector("#thanks").textContent = "Thank you. The next letter is yours.";
});

for (const shown of document.querySelectorAll("[data-variant]"))
  shown.textContent = variants.getAttribute("data-ab-" + shown.dataset.variant) ?? "not loaded";

// Forgets who this is. On leaving, because the snippet writes down its visitor then.
document.querySelector("#fresh").addEventListener("click", () => {
  window.addEventListener("pagehide", () => {
    document.cookie = "abacus=;path=/;max-age=0;secure";
    localStorage.removeItem("abacus");
  });
  location.reload();
});
