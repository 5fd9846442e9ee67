/** Before the first paint: the colours that the reader chose. Where a browser keeps nothing for files, the system's hold. */
try {
  const chosen = localStorage.getItem('theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.style.colorScheme = chosen;
} catch {}
