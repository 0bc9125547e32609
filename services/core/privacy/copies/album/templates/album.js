// Phones play a limited number of recordings at once: the one before is unloaded when the next one begins.
let last = null;
document.addEventListener("play", (event) => {
  if (last && last !== event.target) {
    const address = last.src;
    last.pause();
    last.removeAttribute("src");
    last.load();
    last.src = address;
  }
  last = event.target;
}, true);
