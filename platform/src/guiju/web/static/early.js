// Runs before anything is drawn: lets the stylesheet know that scripts run.
document.documentElement.classList.add("js");
