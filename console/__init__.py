"""The console: HTTP API, operators' pages, patrol phone app, sign-in and roles.

It shows what the database holds and carries decisions of people into the other rooms;
`console.app.create_app` builds the whole of it from `console.context.Rooms`.
"""
