module transship.dev/node-test-program

go 1.26
