// What a button does, told on the button itself.

/** Copies, and the button itself tells whether it worked. */
export const copy = (button, words) => tell(button, () => navigator.clipboard.writeText(words), "Copied");

/** Runs `action`; for two seconds the button says `done`, or that it was not allowed. */
export async function tell(button, action, done) {
  const before = button.dataset.label ?? button.textContent;
  button.dataset.label = before;
  let message = done;
  try {
    await action();
  } catch {
    message = "Not allowed here";
  }
  button.textContent = message;
  setTimeout(() => (button.textContent = before), 2000);
}
