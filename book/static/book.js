// "For completeness" is closed until somebody wants it: a click, a link or a search that leads into it opens it.
document.addEventListener("DOMContentLoaded", () => {
  const part = document.getElementById("for-completeness");
  if (!part || part.tagName !== "SECTION") return;
  const button = document.createElement("button");
  button.className = "open-it";
  button.textContent = "Show this part";
  button.onclick = () => part.classList.remove("closed");
  part.querySelector("h2").after(button);
  const led = () => {
    const at = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!at || !part.contains(at) || at === part) return false;
    part.classList.remove("closed");
    at.scrollIntoView();
    return true;
  };
  if (!location.search.includes("highlight=") && !led()) part.classList.add("closed");
  window.addEventListener("hashchange", led);
});
