"use strict";

// Which page frames this one is not known, and what is posted is no secret to it:
// the ids are its own. So the message goes to any origin; who receives it checks ours.
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
