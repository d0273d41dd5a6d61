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
  syntaxHighlight: { theme: 'idea' },
});
