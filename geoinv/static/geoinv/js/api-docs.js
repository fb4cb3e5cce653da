// Show the description of the API. Whoever is signed in on this site tries it out as himself.
const place = document.querySelector("#api-docs");

function token() {
  const found = document.cookie.split("; ").find((one) => one.startsWith("csrftoken="));
  return found ? decodeURIComponent(found.slice("csrftoken=".length)) : "";
}

window.SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  presets: [window.SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: false,  // its links would lie inside of buttons, where no keyboard finds them
  validatorUrl: null,  // its badge would ask another host
  requestInterceptor: (request) => {
    if (!["GET", undefined].includes(request.method)) request.headers["X-CSRFToken"] = token();
    return request;
  },
});
