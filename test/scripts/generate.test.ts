// .env.example equals describeSettings().
