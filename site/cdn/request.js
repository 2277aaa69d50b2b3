// Viewer request: the one path that is served, on the domain that is asked for. Everything else ends here.
function handler(event) {
    var request = event.request;
    var host = request.headers.host ? request.headers.host.value : '';
    // ASCII letters alone, before they are lowered: U+212A becomes a plain k.
    var name = /^((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)\.?(?::[0-9]{0,5})?$/;
    var match = name.exec(host);
    if (request.uri !== '/.well-known/jwks.json' || !match || match[1].length > 253) {
        return {
            statusCode: 404,
            statusDescription: 'Not Found',
            headers: {
                'access-control-allow-origin': { value: '*' },
                'cache-control': { value: 'public, max-age=10' },
                'content-type': { value: 'text/plain; charset=utf-8' },
                'x-content-type-options': { value: 'nosniff' }
            },
            body: { encoding: 'text', data: '404 Not Found\n' }
        };
    }
    request.uri = '/live/' + match[1].toLowerCase() + '/.well-known/jwks.json';
    request.querystring = {};
    return request;
}
