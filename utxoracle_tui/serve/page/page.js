const terminal = document.getElementById("terminal");

// the address as the browser has it: a tunnel or a proxy may have changed host, scheme and folder
const address = new URL("ws", window.location.href);
address.protocol = address.protocol.replace("http", "ws");
address.search = "";
terminal.dataset.sessionWebsocketUrl = address.href;

// keys go to the console as soon as there is one
new MutationObserver((_, observer) => {
  if (document.body.classList.contains("-first-byte")) {
    observer.disconnect();
    terminal.querySelector("textarea").focus();
  }
}).observe(document.body, { attributeFilter: ["class"] });

// the terminal measures its cells once: the font has to be there before it
document.fonts.load('14px "Roboto Mono"').finally(() => {
  const script = document.createElement("script");
  script.src = "static/js/textual.js";
  script.onload = () => {
    if (document.readyState === "complete") {
      window.onload();
    }
  };
  document.body.append(script);
});
