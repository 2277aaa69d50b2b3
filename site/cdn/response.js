// Viewer response: headers that no bucket keeps. A response headers policy alone would not do: its CORS headers come
// with answers to CORS requests only, and it cannot drop metadata by its prefix.
function handler(event) {
    var headers = event.response.headers;
    Object.keys(headers).forEach(function (name) {
        if (name.indexOf('x-amz-meta-') === 0) {
            delete headers[name];
        }
    });
    headers['access-control-allow-origin'] = { value: '*' };
    headers['x-content-type-options'] = { value: 'nosniff' };
    return event.response;
}
