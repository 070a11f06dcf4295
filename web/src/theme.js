// Before the first paint: the colours that were chosen here last time.
const chosen = localStorage.getItem('amperstand.theme');
if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
