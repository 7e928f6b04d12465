/** Starts Swagger UI, which `swagger-ui-bundle.js` has put on the window, over the edge's own OpenAPI document. */

interface SwaggerWindow {
  SwaggerUIBundle(options: { url: string; dom_id: string; deepLinking: boolean; validatorUrl: null }): void
}

const page: typeof globalThis & Partial<SwaggerWindow> = globalThis
page.SwaggerUIBundle?.({ url: '/openapi.json', dom_id: '#docs', deepLinking: true, validatorUrl: null })
