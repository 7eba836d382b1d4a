"use strict";

// The parent page is not known, and the message contains only its own ids, no secrets. So
// the message is posted to any origin; the receiver checks ours.
const post = (message) => window.parent.postMessage(JSON.parse(message), "*");

const button = document.querySelector("button[data-post]");
if (button) {
  button.addEventListener("click", () => {
    post(button.dataset.post);
    document.querySelector("[role=status]").textContent = button.dataset.confirmation;
  });
}

const upgraded = document.querySelector("main[data-post]");
if (upgraded) {
  post(upgraded.dataset.post);
}
