// What HTML cannot do: copy, wait for a change, and react to the dashboard's upgrade button.
"use strict";

// Copies the text of the element that the button names.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const code = document.getElementById(button.dataset.copy);
    const said = button.parentElement.querySelector("[data-copied]");
    try {
      await navigator.clipboard.writeText(code.textContent);
      said.textContent = "Copied.";
    } catch {
      // Not allowed: select it, so that a key can copy it.
      getSelection().selectAllChildren(code);
      said.textContent = "Selected: press Ctrl+C to copy.";
    }
  });
}

// The page to sign in is for people: a script that is led there shows it as a whole.
const isSignedOut = (answer) => answer.type === "opaqueredirect";

// Asks until nothing is under way, and shows the page as it is then.
const waiting = document.querySelector("[data-pending]");
if (waiting) {
  const ask = async () => {
    try {
      const answer = await fetch(waiting.dataset.pending, { redirect: "manual" });
      if (isSignedOut(answer) || (answer.ok && !(await answer.json()).pending)) {
        location.reload();
        return;
      }
    } catch {
      // The portal is starting again, perhaps: ask once more.
    }
    setTimeout(ask, 1000);
  };
  setTimeout(ask, 500);
}

// Any window can post messages to this page. The script passes on what comes out of the frame, and
// does not judge it: the portal's server checks the origin and reads the message.
const dashboard = document.querySelector("[data-messages]");
const dialog = document.getElementById("upgrade");
if (dashboard && dialog) {
  window.addEventListener("message", async (event) => {
    // Other messages are not worth a request.
    if (event.source !== dashboard.contentWindow || event.data?.type !== "UPGRADE_BUTTON_CLICKED" || dialog.open) {
      return;
    }
    const answer = await fetch(dashboard.dataset.messages, {
      method: "POST",
      redirect: "manual",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": dashboard.dataset.csrf },
      body: JSON.stringify({ origin: event.origin, data: event.data }),
    });
    if (isSignedOut(answer)) {
      location.reload();
      return;
    }
    // 204: it was not the dashboard, or not about this site.
    if (answer.status !== 200 || dialog.open) {
      return;
    }
    // HTML of the portal's own, in which everything is escaped.
    dialog.querySelector("[data-plans]").innerHTML = await answer.text();
    dialog.showModal();
    dialog.querySelector("input:checked")?.focus();
  });
}
