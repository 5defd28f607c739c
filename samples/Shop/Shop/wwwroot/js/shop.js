const health = document.getElementById("health");
fetch("health").then(answer => answer.text()).then(text => { health.textContent = `The shop is ${text.toLowerCase()}.`; });
