// The login form shows that a password was wrong, but not that there were too many: the server's sentence goes below it.
(() => {
  "use strict";
  const ask = window.fetch;
  window.fetch = async (...question) => {
    const answer = await ask(...question);
    const password = answer.status === 429 && document.querySelector("input[type=password]");
    if (password) {
      const note = document.querySelector(".mm-login-wait") ?? Object.assign(document.createElement("p"), { className: "mm-login-wait" });
      note.setAttribute("role", "alert");
      note.textContent = (await answer.clone().json()).detail;
      password.closest("label").after(note);
    }
    return answer;
  };
})();
