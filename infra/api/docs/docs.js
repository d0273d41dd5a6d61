// Shows the contract that is served beside this page.
SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#docs',
  deepLinking: true,
  filter: true,
  // Examples say more than types to who reads for the first time; the types are one click away.
  defaultModelRendering: 'example',
  defaultModelsExpandDepth: -1,
  docExpansion: 'list',
  displayRequestDuration: true,
  // What is tried out goes to this API and to no other, and a pasted token is forgotten with the page.
  persistAuthorization: false,
  validatorUrl: null,
  onComplete: foldProse,
});

// The contract's chapters are long: they open on a click, so that the operations stand on the first screen.
function foldProse() {
  const prose = document.querySelector('.info .renderedMarkdown:has(h2)');
  const first = prose?.querySelector('h2');
  if (!first) return;
  const fold = document.createElement('details');
  const summary = document.createElement('summary');
  summary.textContent = [...prose.querySelectorAll('h2')].map((chapter) => chapter.textContent).join(' · ');
  first.before(fold);
  fold.append(summary);
  while (fold.nextSibling) fold.append(fold.nextSibling);
}
