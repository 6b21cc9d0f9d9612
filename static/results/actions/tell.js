// What a button does, told on the button itself.

/** Copies, and the button itself tells whether it worked. */
export const copy = (button, words) => tell(button, () => navigator.clipboard.writeText(words), "Copied");

/** Copies a text that is still to come: Safari takes it only in the same turn as the click.
 *  @param {any} button
 *  @param {Promise<string>} words */
export function copyLater(button, words) {
  const blob = words.then((text) => new Blob([text], { type: "text/plain" }));
  return tell(button, () => navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]), "Copied");
}

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
